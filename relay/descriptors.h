#ifndef CS_RELAY_DESCRIPTORS_H
#define CS_RELAY_DESCRIPTORS_H

/* File descriptors of this process: what a storm of connections uses up. */

/* How many are open; 0 where the system does not say. */
unsigned cs_descriptors_open(void);

/* Raises the limit as far as is permitted; what it is then. */
unsigned cs_descriptors_raise(void);

#endif
